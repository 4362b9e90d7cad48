#!lua flags=allow-oom
-- save: store a position, unless the term under which it was reached is over.
-- KEYS base   ARGV consumer "fence holder" name position   -> 1, 0: the term is over and nothing was changed
if redis.call('GET', KEYS[1] .. ':lease:' .. ARGV[1]) ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], ARGV[3], ARGV[4])
return 1
