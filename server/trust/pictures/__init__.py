"""Looks at still pictures of video chats, in a process of its own. Rule: a stranger's bytes are decoded there alone, and no picture leaves it.

`judging` is the server's side: it starts the process and asks it, and needs none of the libraries of pictures. `process`, `judge`, `pdq` and
`lists` run in the process (the extra `moderation`); `messages` is what both say to each other.
"""
