"""One file for each subcommand of `hl`: its options, and the calls that do its work."""
