"""The journal: what a node did, on disk before it answers.

`segment` is the file format, `records` what is inside, `writer` appends, `reader` reads, `status` sums up. A directory
per RADIUS process: `<data dir>/journal/<node id>/<worker>/<number>.segment`.
"""
