"""Small pieces of Markdown, each a known trouble: written for this test, one per line.

`\\n` stands for a line end.
"""

from __future__ import annotations

_TEXT = r"""
plain words
two words\nsoft break
hard break  \nnext
hard break\\\nnext
para one\n\npara two
para\n\n\n\nfar para
  indented by two
\ttabbed code
    indented code
    code\n\n    more code\ntext
trailing spaces   
\n\nleading blank lines
**bold**
__bold__
*italic*
_italic_
***both***
**bold _and italic_ inside**
*italic **and bold** inside*
**unclosed bold
*unclosed italic
__unclosed
_unclosed
***
**
*
a * b * c
a*b*c
snake_case_name
__init__
2 ** 10 ** 3
5*6*78
**bold**text
**bold**.
"**quoted bold**"
**你好**世界
你好**世界**再见
**。**a
~~struck~~
~one~
~~unclosed
about ~5 and ~6
`code`
`` code with ` tick ``
`unclosed code
``
`
` `
`**not bold**`
`a`b`c`
```\nfenced\n```
```python\nprint(1)\n```
```python title="x.py"\nprint(1)\n```
```\nunclosed fence
~~~\ntilde\n~~~
~~~~ c++\n```\n~~~~
````\n```\ninner\n```\n````
```\n\n\n```
```
   ```\n   indented fence\n   ```
> quote
> quote\n> more
> quote\nlazy
>
> > nested
> a\n> > b\n> c
> - list in quote\n> - second
> ```\n> code in quote\n> ```
> # heading in quote
- item
* item
+ item
- a\n- b\n- c
- a\n\n- b
- a\n  - b\n    - c\n      - d
- a\n\n  para\n\n  para two
- a\n  > quote in item
- a\n  ```\n  code in item\n  ```\n  after
-
- 
-\n- b
1. one\n2. two
1) one\n2) two
7. seven\n8. eight
1. a\n   - b\n2. c
1. ```\n   x\n   ```\n\n   y
10. ten
1.
- [ ] open
- [x] done
- [X] done
- [ ]
- [x
# H1
## H2
### H3
#### H4
##### H5
###### H6
####### seven
#
# **bold** in *heading*
# closed #
Setext\n======
Setext\n---
text\n-
text\n--
---
***
___
- - -
| a | b |\n|---|---|\n| 1 | 2 |
|a|b|\n|:-|-:|\n|1|2|
a | b\n--|--\n1 | 2
| a |\n|---|
| a | b |\n|---|---|\n| 1 |
| a | b |\n|---|---|\n| 1 | 2 | 3 |
| **b** | `c` |\n|---|---|\n| [l](https://example.com) | ~~s~~ |
| a \| b | c |\n|---|---|\n| d | e |
| $x^2$ | y |\n|---|---|\n| <br>z | ![i](https://example.com/i.png) |
| 中文 | English |\n|---|---|\n| 一 | a |
| a | b |
| a | b |\n|--
|
||
|||
> | a | b |\n> |---|---|\n> | 1 | 2 |
- | a | b |\n  |---|---|\n  | 1 | 2 |
[link](https://example.com)
[link](https://example.com "title")
[link](<https://example.com/a b>)
[**bold link**](https://example.com)
**[link](https://example.com) in bold**
[`code`](https://example.com)
[](https://example.com)
[empty]()
[relative](/path)
[anchor](#here)
[bad](http://)
[bad](https://)
[bad](http://a b)
[local](http://localhost:3000/)
[port](https://example.com:99999/)
[zero](https://example.com:0/)
[intranet](http://server/)
[ip](http://127.0.0.1:8080/x)
[six](http://[::1]/)
[user](http://user:pw@example.com/)
[mail](mailto:a@example.com)
[tel](tel:+123)
[js](javascript:alert(1))
[data](data:text/html,x)
[file](file:///etc/passwd)
[tg](tg://resolve?domain=x)
[user](tg://user?id=1)
[ftp](ftp://example.com/)
[idn](https://例え.jp/テスト)
[puny](https://xn--r8jz45g.jp/)
[paren](https://en.wikipedia.org/wiki/A_(b))
[query](https://example.com/?a=1&b=2#c)
[percent](https://example.com/%zz)
[long](https://example.com/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa)
[ref][one]\n\n[one]: https://example.com
[shortcut]\n\n[shortcut]: https://example.com
[unknown][ref]
[half](https://exam
[half](
[half]
[half
![image](https://example.com/i.png)
![](https://example.com/i.png)
![bad](i.png)
[![badge](https://example.com/b.svg)](https://example.com)
<https://example.com>
<a@example.com>
https://example.com bare
www.example.com
<b>bold</b>
<i>italic
<b><i>x</b></i>
<br>
a<br/>b
<div>block</div>
<div>\n**not parsed in CommonMark**\n</div>
<p>one</p><p>two</p>
<pre>a\n  b</pre>
<pre><code class="language-c">int a &lt; b;</code></pre>
<ul><li>a</li><li>b</li></ul>
<script>alert(1)</script>
<a href="https://example.com">l</a>
<a href="nowhere">l</a>
<img src="https://example.com/i.png" alt="i">
<h2>head</h2>
<T>
Vec<T> and <your name>
<think>hm</think>answer
<!-- comment -->
<!-- unclosed
<tg-spoiler>x</tg-spoiler>
a < b > c
x<sup>2</sup>
&amp; &lt; &gt; &quot; &copy; &#65; &#x41; &nbsp; &notanentity;
&amp
AT&T
||spoiler||
||two|| and ||more||
a || b || c
||unclosed
`||code||`
**||bold spoiler||**
$x$
$x^2 + y_1$
$\frac{a}{b}$
$\unknowncommand{x}$
$\frac{
$$\int_0^1 x\,dx$$
$$\na\n$$
$5 and $6
$10-$20
\(x\)
\(\alpha\)
\[\sum_{i}\]
\[
`\(x\)`
text[^1]\n\n[^1]: note
text[^1]
[^1]: only a note
\*escaped\* \_ \` \# \[ \\
\
a\
{curly} (round) [square]
#hashtag @mention /command
1️⃣ 👨‍👩‍👧‍👦 🇩🇪
שלום **עולם**
مرحبا `كود`
a​b zero width
‮reversed‬
  nbsp  
\u200b
- **a**: b\n- **c**: d
**Note:** text\n\n- a\n- b\n\n1. c
> **Tip**\n> text\n\n`x`
a\n***\nb
a\n===
*a* **b** `c` ~~d~~ [e](https://example.com)
"""

SNIPPETS: tuple[str, ...] = tuple(
    line.replace("\\n", "\n").replace("\\t", "\t").replace("\\u200b", "\u200b")
    for line in _TEXT.strip("\n").split("\n")
)
