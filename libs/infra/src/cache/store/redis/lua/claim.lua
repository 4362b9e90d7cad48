#!lua flags=allow-oom
-- claim: the first process of an application sets what all its processes must agree on. May exceed the memory limit: a
-- process that cannot join a full Redis cannot invalidate in it.
-- KEYS the key   ARGV the value of this process
-- -> the agreed value
redis.call('SET', KEYS[1], ARGV[1], 'NX')
return redis.call('GET', KEYS[1])
