"""The programs that attnviz is measured against, each in a process of its own."""
