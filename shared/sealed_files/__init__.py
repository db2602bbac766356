"""Files that are put by for later, backups and archives: compressed, sealed, proved when read."""
