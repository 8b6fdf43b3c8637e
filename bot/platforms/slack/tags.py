"""HTML that models mix into Markdown, as Slack's Markdown, which would show the tags themselves.

What has no closing tag, or is of no use in a chat, is left to be seen: somebody speaks of it.
"""

from __future__ import annotations

import re

from bot.core.delivery.markdown import beside, spans

LONGEST = 80
"""Characters in a pair of tags at most: of a longer one, the beginning was shown already."""
COMMENT = 300
NEAR = 400
"""Characters before the end of a text in which a tag can begin that is not decided."""
_MARKS = {
    **dict.fromkeys(("b", "strong"), "**"),
    **dict.fromkeys(("i", "em"), "_"),
    **dict.fromkeys(("s", "del", "strike"), "~~"),
    **dict.fromkeys(("code", "kbd"), "`"),
}
_WORDS = rf"[^<>\n]{{1,{LONGEST}}}"
_TITLE_WORDS = rf"(?:[^<>\n]|</?(?:b|strong|i|em|code|h[1-6])>){{1,{LONGEST}}}"
_NAMES = "|".join([*_MARKS, "font", "ins", "mark", "small", "span", "su[bp]", "u"])
_BLOCKS = "article|center|details|div|p|section"
_ATTRIBUTES = r"(?:[ ][^<>\n]{0,80})?"
_WORD = r"(?!mailto:|tel:)[a-z][a-z0-9+.-]{1,31}:(?!//)"
"""What a word in angles begins with that would be an address, as in `vector<std::string>`."""
_TAG = re.compile(
    r"(?<!`)(?P<ticks>`+)(?!`)[^\n]+?(?<!`)(?P=ticks)(?!`)"  # code
    r"|<(?:"
    r"(?P<end>br[ ]?/?>\n?)"
    rf"|(?P<name>{_NAMES}){_ATTRIBUTES}>(?P<words>{_WORDS})</(?P=name)>"
    rf"|summary{_ATTRIBUTES}>(?P<title>{_TITLE_WORDS})</summary>"
    rf"|(?P<comment>!--(?:[^\n<]|<(?!!--)){{0,{COMMENT}}}?-->)"
    rf"|(?P<block>/?(?:{_BLOCKS}){_ATTRIBUTES}>)"
    rf"|(?P<word>{_WORD}[^<>\s]*>)"
    r")",
    re.IGNORECASE,
)
_SIGN = re.compile(rf"<(?:br|!--|/?(?:{_NAMES}|summary|{_BLOCKS})[ >]|{_WORD})", re.IGNORECASE)
_TITLE = re.compile(rf"[ ]*<summary{_ATTRIBUTES}>{_TITLE_WORDS}</summary>", re.IGNORECASE)
_TITLE_MARK = re.compile(r"<[^<>]*>|\*\*")
_BEGUN = re.compile(
    rf"<(?:(?:details{_ATTRIBUTES}>[ ]*<)?summary{_ATTRIBUTES}>"
    rf"(?:{_TITLE_WORDS})?(?:</?[a-z]{{0,8}}[1-6]?)?"
    rf"|(?:{_NAMES}){_ATTRIBUTES}>[^<>\n]{{0,{LONGEST}}}(?:</[a-z]{{0,8}})?"
    rf"|!--[^\n]{{0,{COMMENT}}}|/?(?:{_BLOCKS}){_ATTRIBUTES}>)\s*\Z",
    re.IGNORECASE,
)


def as_markdown(text: str) -> str:
    """A text without fenced code, with what its tags mean in place of them."""
    if "<" not in text or _SIGN.search(text) is None:
        return text
    return _TAG.sub(_meaning, text)


def begun(text: str) -> int:
    """Where a tag begins of which the end of a growing text does not tell yet what it means.

    The end of the text where there is none.
    """
    end = len(text.rstrip())
    line = text.rfind("\n", 0, end) + 1
    found = _BEGUN.search(text, max(line, end - NEAR))
    if found is None or _is_code(text, line, found.start()):
        return len(text)
    return found.start()


def _is_code(text: str, line: int, at: int) -> bool:
    """Whether a place in a line is in code within it."""
    return any(a < at < b and text[a] == "`" for a, b in spans(text, line, len(text)))


def _meaning(found: re.Match[str]) -> str:
    if found["ticks"]:
        return found[0]
    before, after = beside(found)
    if found["end"]:
        return " " if before.lstrip(" >").startswith("|") else "\n"
    if found["comment"]:
        return ""
    if found["word"]:
        return "\\" + found[0]
    if found["block"]:
        is_alone = not after.strip() or _TITLE.match(after)
        return "" if not before.strip(" >") and is_alone else found[0]
    if found["title"]:
        title = _TITLE_MARK.sub("", found["title"]).strip()
        return f"**{title}**" if title else found[0]
    name, words = found["name"].lower(), found["words"]
    if name == "sup":
        return f"^{words}"
    if not words.strip():
        return found[0]
    mark = _MARKS.get(name, "")
    return f"{mark}{words.strip()}{mark}" if mark and "`" not in words else words
