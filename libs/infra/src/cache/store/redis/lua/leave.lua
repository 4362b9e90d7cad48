#!lua flags=allow-oom
-- leave: end the membership of a process' L1. Call it only after the L1 was closed.
-- KEYS T:g   ARGV T member newVersion
-- -> 1 it was a member, 0 it was not
local refused = use(ARGV[1])
if refused then return refused end
R('HDEL', T .. ':ac', ARGV[2])
local was = R('ZREM', T .. ':in', ARGV[2])
if was == 1 then R('HSET', M, 'mv', ARGV[3]) end
return was
