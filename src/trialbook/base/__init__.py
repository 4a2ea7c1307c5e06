"""A stdlib-only toolbox without product words: atomic files, ids, clock, retry, guard."""
