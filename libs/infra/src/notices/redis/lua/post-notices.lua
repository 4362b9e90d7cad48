#!lua
-- post-notices: puts notices on the board, each once per source.
-- KEYS board (stream: n name, a audience), its sources (sorted set by the time they were first seen)
-- ARGV notices kept, sources kept, life of a source in ms; per post name, audience ('*', or '=' and it), source or ''
-- -> how many notices are new
-- One step: a source without its notice would suppress it for good; a notice without its source would come twice.
local board, sources = KEYS[1], KEYS[2]
local noticesKept, sourcesKept, lifeMs = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

redis.call('ZREMRANGEBYSCORE', sources, '-inf', now - lifeMs)
local isPosted, new = {}, 0
for i = 4, #ARGV, 3 do
  local name, audience, source = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  local kind = name .. '\0' .. audience
  local isNews = source == '' or redis.call('ZADD', sources, 'NX', now, source .. '\0' .. kind) == 1
  if isNews and not isPosted[kind] then
    isPosted[kind] = true
    new = new + 1
    redis.call('XADD', board, 'MAXLEN', '~', noticesKept, '*', 'n', name, 'a', audience)
  end
end
redis.call('ZREMRANGEBYRANK', sources, 0, -sourcesKept - 1)
redis.call('PEXPIRE', sources, lifeMs)
return new
