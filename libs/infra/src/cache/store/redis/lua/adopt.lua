#!lua flags=allow-oom
-- adopt: make sure that this server's history is the one the entries belong to. A server that restarted from a snapshot, or a
-- replica that was promoted, may have lost the last acknowledged invalidations; nobody can tell which, so everything older is
-- dropped: the clock ticks and the read floor rises over all entries, in constant time. The sweeper's audit frees them.
-- KEYS T:g   ARGV T newTip
-- -> 1 the partition was flushed, 0 it is this server's own
use(ARGV[1], ARGV[2])
return adopt(ARGV[2]) and 1 or 0
