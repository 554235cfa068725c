"""The case (办件): one application, from filing to the closing of the file."""
