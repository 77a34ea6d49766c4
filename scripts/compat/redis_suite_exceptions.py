"""Which of the tests of Redis 7.0.15 cannot pass on Vedette, by file, each with its reason: data of redis_suite.py.

A name is that of a test, or with `/` before it a regular expression for several. What is listed here is left out of the run; then it
is tried alone, and what passes is told, so that the list stays true. A reason that begins with HANGS is not even tried.
"""
HANGS = "HANGS: "

CANNOT_PASS = {
}
