"""Channels: what microphones, converters and networks do to speech, codecs apart."""
