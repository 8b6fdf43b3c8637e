"""The inbox, which is the queue: the port `TurnQueue` over the table `turns`.

`turns` is the port. The SQL is in the others:

* an event comes in: `intake` decides, `arrivals` reads and writes rows; `edits` of messages,
  and their deletion (`withdrawals`); one too many is declined (`declines`)
* it is claimed: `claims`, perhaps with others (`joining`); `lanes` tells of the turns of a chat
* it is held by one process: `holds` in the table, `leases` in memory, `presence` of processes
* other processes hear of it: `news`
* it ends: `outcomes`, and files that were made but not delivered (`products`); what it may have
  left in the chat is looked for later (`searches`)
"""
