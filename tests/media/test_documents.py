from __future__ import annotations

import bz2
import gzip
import lzma
import random
from pathlib import Path

import pytest

from bot.core.documents import Document
from bot.errors import MediaError, MediaErrorKind
from bot.media.documents import ChildReader
from tests.media import papers


async def read(folder: Path, content: bytes, name: str = "", **more: object) -> Document:
    path = folder / "download"
    path.write_bytes(content)
    limits: dict[str, object] = {"characters": 100_000, "scans": 8, **more}
    return await ChildReader().read(path, name=name, mime="", **limits)  # type: ignore[arg-type]  # any limit


async def refused(reader: ChildReader, folder: Path, content: bytes, name: str = "") -> str:
    path = folder / "download"
    path.write_bytes(content)
    with pytest.raises(MediaError) as refusal:
        await reader.read(path, name=name, mime="", characters=100_000, scans=8)
    return refusal.value.kind.value


def words(document: Document) -> dict[str, str]:
    return {section.mark: section.text for section in document.sections}


async def test_a_pdf_is_read_page_by_page(tmp_path: Path) -> None:
    document = await read(tmp_path, papers.pdf(["We sold 42 boats last year.", "The end of all."]))
    assert words(document) == {"page 1": "We sold 42 boats last year.", "page 2": "The end of all."}
    assert document.extent == "2 pages"


async def test_of_500_pages_as_many_are_read_as_there_is_room_for(tmp_path: Path) -> None:
    pages = [f"This is what stands on page {number}." for number in range(1, 501)]
    document = await read(tmp_path, papers.pdf(pages), characters=1_000)
    assert document.extent == "500 pages"
    assert 25 < len(document.sections) < 40
    assert document.left_out.endswith(f"pages {len(document.sections) + 1}–500")


async def test_a_scan_becomes_pictures_of_its_first_pages(tmp_path: Path) -> None:
    document = await read(tmp_path, papers.scan("one", "two", "three"), scans=2)
    assert [picture.mime for picture in document.pictures] == ["image/jpeg", "image/jpeg"]
    assert document.left_out == "1 scanned page from page 3 on"
    assert "number 2" in words(document)["page 2"]


async def test_word_has_headings_lists_and_tables(tmp_path: Path) -> None:
    document = await read(tmp_path, papers.word("We sold 42."))
    assert words(document) == {"paragraphs 1–3": "# Boats\nWe sold 42.\nDory | 1200"}


async def test_slides_have_their_notes(tmp_path: Path) -> None:
    document = await read(tmp_path, papers.slides("Plan", "Costs"))
    assert words(document)["slide 2"] == "Costs\n(Notes: about Costs)"


async def test_a_spreadsheet_names_its_rows(tmp_path: Path) -> None:
    prices: list[list[object]] = [[f"Dory {number}", number * 1.5] for number in range(99)]
    rows: list[list[object]] = [["Boat", "Price"], *prices]
    document = await read(tmp_path, papers.sheet(rows))
    assert list(words(document)) == ["sheet “Prices”, rows 1–50", "sheet “Prices”, rows 51–100"]
    assert words(document)["sheet “Prices”, rows 1–50"].startswith("Boat | Price\nDory 0 | 0\n")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
async def test_text_is_read_in_its_encoding(tmp_path: Path, encoding: str) -> None:
    document = await read(tmp_path, "Größe;Änne\nnaïve;3\n".encode(encoding), "table.csv")
    assert words(document) == {"lines 1–2": "Größe;Änne\nnaïve;3"}


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("你好，世界。这是一个测试文件。", "gb18030"),
        ("测试", "gb18030"),
        ("北京,广州", "gb18030"),
        ("王伟\n李娜\n刘洋\n陈静\n杨磊", "gb18030"),
        ("产品名称,单价\n电脑,5000", "gb18030"),
        ("# 读取文件\ndef main():\n    print('完成')", "gb18030"),
        ("今天天氣很好，我們去公園玩。請問您要喝什麼？", "big5"),
        ("名前,年齢\n太郎,3", "shift_jis"),
        ("오늘 날씨가 좋네요", "euc_kr"),
        ("이름,나이,도시\n김철수,25,서울", "euc_kr"),
        ("Имя;Город\nИван;Москва", "cp1251"),
    ],
)
async def test_text_of_the_east_is_read_be_it_ever_so_short(
    tmp_path: Path, text: str, encoding: str
) -> None:
    assert "".join(words(await read(tmp_path, text.encode(encoding))).values()) == text


@pytest.mark.parametrize("line", ["请求成功，用户已登录", "Größe geändert"])
async def test_text_is_read_although_a_few_bytes_of_it_are_broken(
    tmp_path: Path, line: str
) -> None:
    lines = f"{line}\n".encode() * 20 + b"\xff\xfe\n" + f"{line}\n".encode()
    document = await read(tmp_path, lines, "server.log")
    assert words(document)["lines 1–22"].splitlines() == [line] * 20 + ["\ufffd\ufffd", line]


async def test_source_code_keeps_its_indentation_and_line_numbers(tmp_path: Path) -> None:
    source = "\n".join(f"    line_{number} = {number}" for number in range(1, 61))
    document = await read(tmp_path, source.encode(), "a.py")
    assert list(words(document)) == ["lines 1–25", "lines 26–50", "lines 51–60"]
    assert words(document)["lines 26–50"].startswith("    line_26 = 26\n")


async def test_a_web_page_is_what_its_reader_sees(tmp_path: Path) -> None:
    page = (
        "<!DOCTYPE html><html><head><title>Boats</title><style>b{}</style></head><body>"
        "<h2>Boats &amp; more</h2><p>See <a href='https://x.example'>this</a>.</p>"
        "<ul><li>one<li>two</ul><script>steal()</script><table><tr><td>1<td>2</table></body>"
    )
    [text] = words(await read(tmp_path, page.encode())).values()
    assert text == "Boats\n## Boats & more\nSee this (https://x.example).\n- one\n- two\n1 | 2"


async def test_a_paragraph_in_a_cell_or_an_item_stays_in_its_row(tmp_path: Path) -> None:
    page = (
        "<!DOCTYPE html><p>Before</p><table>"
        "<tr> <td><p>Item</p></td> <td><p>Owner</p> <div>Team</div></td> <td>Due</td> </tr>"
        "<tr><td><div><p>A</p></div></td><td><p>B</p></td><td><ul><li><p>one</p></ul></td></tr>"
        "</table><ul><li><p>two</p></li><li> <p>three</p><p>four</p></li></ul>"
        "<pre>a    | b\n- c</pre>"
    )
    [text] = words(await read(tmp_path, page.encode())).values()
    assert text.splitlines() == [
        *("Before", "Item | Owner", "Team | Due", "A | B |", "- one"),
        *("- two", "- three", "four", "a    | b", "- c"),
    ]


# ------------------------------------------------------------ what nobody wants to read


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (papers.archive("a.txt", "b.txt"), MediaErrorKind.PACKED),
        (gzip.compress(b"words"), MediaErrorKind.PACKED),
        (lzma.compress(b"words"), MediaErrorKind.PACKED),
        (bz2.compress(b"words"), MediaErrorKind.PACKED),
        (b"Rar!\x1a\x07\x01\0" + bytes(9), MediaErrorKind.PACKED),
        (b"7z\xbc\xaf'\x1c\0\x04" + bytes(9), MediaErrorKind.PACKED),
        (papers.archive("mimetype", "META-INF/container.xml"), MediaErrorKind.NOT_DOCUMENT),
        (papers.archive("Index/Document.iwa"), MediaErrorKind.NOT_DOCUMENT),
        (papers.archive("[Content_Types].xml", "word/docum"), MediaErrorKind.NOT_DOCUMENT),
    ],
    ids=["zip", "gzip", "xz", "bzip2", "rar", "7z", "a book", "Pages", "a damaged docx"],
)
async def test_an_archive_is_known_from_a_document_that_is_packed_by_itself(
    tmp_path: Path, content: bytes, kind: str
) -> None:
    assert await refused(ChildReader(), tmp_path, content) == kind


@pytest.mark.parametrize(
    ("content", "name", "kind"),
    [
        (b"", "a.pdf", MediaErrorKind.EMPTY),
        (papers.locked_pdf(), "a.pdf", MediaErrorKind.LOCKED),
        (papers.pdf(["cut off"])[:60], "a.pdf", MediaErrorKind.NOT_DOCUMENT),
        (papers.word("cut off")[:-200], "a.docx", MediaErrorKind.NOT_DOCUMENT),
        (b"\x7fELF" + bytes(range(256)), "a.bin", MediaErrorKind.NOT_DOCUMENT),
        (papers.repacked(papers.word(), "none", b"")[:4] + b"junk", "a.zip", "not_document"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "合同.DOC", MediaErrorKind.OUTDATED),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "总结.wps", MediaErrorKind.OUTDATED),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"),
            "a.docx",
            MediaErrorKind.LOCKED,
        ),
        (
            papers.repacked(
                papers.word(),
                "word/document.xml",
                b"<w:p xmlns:w='w'>" + b"<w:p>" * 100_000 + b"</w:p>" * 100_001,
            ),
            "deep.docx",
            MediaErrorKind.NOT_DOCUMENT,
        ),
        (
            papers.claiming(papers.word(), "word/document.xml", 4_000_000_000),
            "bomb.docx",
            MediaErrorKind.TOO_LARGE,
        ),
        (
            papers.claiming(  # its directory lies
                papers.repacked(papers.word(), "word/document.xml", b" " * 50_000_000),
                "word/document.xml",
                1_000,
            ),
            "bomb.docx",
            MediaErrorKind.NOT_DOCUMENT,
        ),
    ],
    ids=[
        "empty",
        "locked pdf",
        "half a pdf",
        "half a docx",
        "a program",
        "junk in an archive",
        "Word before 2007",
        "WPS",
        "locked docx",
        "deep xml",
        "declared zip bomb",
        "lying zip bomb",
    ],
)
async def test_what_cannot_be_read_is_refused(
    tmp_path: Path, content: bytes, name: str, kind: str
) -> None:
    assert await refused(ChildReader(), tmp_path, content, name) == kind


async def test_a_file_that_unpacks_to_more_than_the_memory_ends_its_own_process(
    tmp_path: Path,
) -> None:
    cells = b"<worksheet><sheetData>" + b'<row r="1"><c r="A1"><v>1</v></c></row>' * 3_000_000
    member = "xl/worksheets/sheet1.xml"
    bomb = papers.repacked(papers.sheet([["a"]]), member, cells + b"</sheetData></worksheet>")
    reader = ChildReader(memory=120_000_000)
    assert await refused(reader, tmp_path, papers.claiming(bomb, member, 1_000)) in (
        "too_large",
        "not_document",
    )
    document = await read(tmp_path, papers.sheet([["fine"]]))
    assert "fine" in document.sections[0].text  # the next one is read


async def test_a_file_that_takes_too_long_is_given_up(tmp_path: Path) -> None:
    reader = ChildReader(seconds=0.02)
    assert await refused(reader, tmp_path, papers.word("slow")) == MediaErrorKind.TOO_LARGE


async def test_damaged_files_never_raise_anything_else(tmp_path: Path) -> None:
    chance = random.Random(7)
    whole = [papers.word("a"), papers.sheet([["a"]]), papers.slides("a"), papers.pdf(["a" * 30])]
    for content in whole:
        for _ in range(3):
            broken = bytearray(content)
            for _ in range(20):
                broken[chance.randrange(len(broken))] = chance.randrange(256)
            try:
                await read(tmp_path, bytes(broken))
            except MediaError as error:
                assert error.kind in (MediaErrorKind.NOT_DOCUMENT, MediaErrorKind.TOO_LARGE)


async def test_the_process_that_reads_gets_no_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BOT_API__KEY", "sk-secret")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{Path.cwd()}")
    (tmp_path / "sitecustomize.py").write_text(
        f"import os; open({str(tmp_path / 'seen')!r}, 'w').write(repr(dict(os.environ)))"
    )
    await read(tmp_path, b"hello")
    assert "PYTHONPATH" in (seen := (tmp_path / "seen").read_text()) and "secret" not in seen
