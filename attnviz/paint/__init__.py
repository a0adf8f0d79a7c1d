"""Painting of scenes with Qt."""

import os

# Qt gives a few spans of a line each to threads of its own and waits for them, for a resting processor longer than it paints: 2,700
# arcs take 55 to 60 ms so and 40 without, those of 512 tokens 120 and 31. It reads this at the first span; what a person has set
# stays.
os.environ.setdefault("QT_NO_GUI_THREADPOOL", "1")
