"""A fuzzer of everything that reads files: changed valid files, opened in a process of their own.

`python tests/fuzz/run.py --seconds 600` runs it by hand; `test_fuzz.py` is its short form.
"""
