"""Every number that the documents quote, each with its script and against its own ceiling in the same run.

`python -m bench` measures all, `python -m bench http commit` some: each module with a `measure`.
"""
