#!lua flags=allow-oom
-- release: end the term if it is not over yet.
-- KEYS base   ARGV consumer "fence holder"   -> 1, 0: it was over
local lease = KEYS[1] .. ':lease:' .. ARGV[1]
if redis.call('GET', lease) ~= ARGV[2] then return 0 end
return redis.call('DEL', lease)
