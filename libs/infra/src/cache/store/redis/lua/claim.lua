#!lua flags=allow-oom
-- claim: what all processes of an application agree on, said by the first of them. May run out of the memory limit: who cannot
-- join a full Redis cannot invalidate in it.
-- KEYS the key   ARGV what this process would write
-- -> what was agreed
redis.call('SET', KEYS[1], ARGV[1], 'NX')
return redis.call('GET', KEYS[1])
