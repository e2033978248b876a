"""What a file is, found out from its bytes. Knows no model: a file object in, a Finding out."""
