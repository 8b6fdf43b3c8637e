"""The wire protocols of a conversation: what is sent, and how the stream of the answer is read.

`chat_completions`, `responses` and `completions` are the protocols, `wire` is what they share.
`sse` makes events of bytes; the others read what gateways put into a text.
"""
