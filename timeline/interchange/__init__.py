"""The cut for other programs: EDL, FCP7 XML, OTIO."""
