#!lua flags=allow-oom
-- claim: the first process of an application sets what all its processes must agree on. May exceed the memory limit: a
-- process that cannot join a full Redis cannot invalidate in it.
-- Atomic: every process reads the value of the first.
-- KEYS agreement
-- ARGV own
--   own: the value of this process
-- -> the agreed value
local agreement, own = KEYS[1], arguments(1)
R('SET', agreement, own, 'NX')
return R('GET', agreement)
