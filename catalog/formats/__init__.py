"""Every file layout that Lookbook reads or writes, a module a format; nothing here knows what a format is for."""
