"""Check still pictures of video chats, in a process of its own.

**Invariant:** pictures from users are decoded in that process alone, and it sends none back.

`picture_client` is the server's side: it starts the process and sends it jobs, without the picture libraries. `picture_process`, `picture_verdict`,
`pdq` and `picture_hash_lists` run in the process (the extra `moderation`); `picture_process_codec` is the protocol between them.
"""
