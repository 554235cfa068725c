"""Read tables: one module = one question, with its rows, how events change them, and its selects."""
