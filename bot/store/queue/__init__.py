"""The inbox, which is the queue: the port `TurnQueue` over the table `turns`.

`turns` is the port. What it does is SQL in the others: an event comes in (`intake`, `arrivals`,
`edits`), is claimed in its lane (`lanes`), perhaps with others (`joining`), held by one process
(`holds`, `leases`, `presence`) that hears of the others (`news`), and leaves something at its end
(`outcomes`, `products`).
"""
