"""Protocols as data: one TOML file each. See docs/reference/protocols.md."""
