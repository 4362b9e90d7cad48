#!lua flags=allow-oom
-- leave: end the membership of a process' L1. Call it only after the L1 was closed.
-- Atomic: members and version change together, so a caller that knows the version knows the members.
-- KEYS T:g
-- ARGV tag member newVersion
-- -> 1 it was a member, 0 it was not
local tag, member, newVersion = arguments(3)
local refused = use(tag)
if refused then return refused end
R('HDEL', T .. ':ac', member)
local was = R('ZREM', T .. ':in', member)
if was == 1 then R('HSET', M, 'mv', newVersion) end
return was
