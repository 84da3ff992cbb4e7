"""Every decoder under a coverage-guided fuzzer; the corpus stays in the tree and is replayed by the property tests."""
