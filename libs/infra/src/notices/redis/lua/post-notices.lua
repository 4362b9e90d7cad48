#!lua
-- post-notices: puts notices on the board, each once per source.
-- Atomic: a source without its notice would suppress it for good; a notice without its source would come twice.
-- KEYS board sources
-- ARGV noticesKept sourcesKept lifeMs (name audience source)...
--   board: a stream; n = name, a = audience
--   sources: a sorted set of each source with its name and audience, by the time at which it was first seen
--   lifeMs: how long a source is remembered
--   audience: '*' for everybody, or '=' and the audience
--   source: '' = none, so the notice is new
-- -> how many notices are new
local board, sources = KEYS[1], KEYS[2]
local noticesKept, sourcesKept, lifeMs = unpack(ARGV, 1, 3)
local posts = { unpack(ARGV, 4) }
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

redis.call('ZREMRANGEBYSCORE', sources, '-inf', now - tonumber(lifeMs))
local isPosted, new = {}, 0
for i = 1, #posts, 3 do
  local name, audience, source = unpack(posts, i, i + 2)
  local kind = name .. '\0' .. audience
  local isNews = source == '' or redis.call('ZADD', sources, 'NX', now, source .. '\0' .. kind) == 1
  if isNews and not isPosted[kind] then
    isPosted[kind] = true
    new = new + 1
    redis.call('XADD', board, 'MAXLEN', '~', noticesKept, '*', 'n', name, 'a', audience)
  end
end
redis.call('ZREMRANGEBYRANK', sources, 0, -tonumber(sourcesKept) - 1)
redis.call('PEXPIRE', sources, lifeMs)
return new
