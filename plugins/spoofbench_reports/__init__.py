"""The output formats that come with spoofbench."""
