#!lua flags=allow-oom
-- save: store a position, unless the term under which it was reached is over.
-- Atomic: between the check and the write, the next holder could have gone further.
-- KEYS base
-- ARGV consumer term name position
--   term: "fence holder"
-- -> 1, 0: the term is over and nothing was changed
local base = KEYS[1]
local consumer, term, name, position = unpack(ARGV, 1, 4)
if redis.call('GET', base .. ':lease:' .. consumer) ~= term then return 0 end
redis.call('HSET', base, name, position)
return 1
