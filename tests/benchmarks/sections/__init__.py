"""What is measured, a file for each section; a section is a function that takes a Bench and gives its rows."""
