-- ages: of each feed, how many ms ago it is known to have been up to date, by the server's clock.
-- KEYS base   -> feed, ageMs, ...
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local found = redis.call('HGETALL', KEYS[1] .. ':feeds')
for i = 2, #found, 2 do found[i] = string.format('%.0f', math.max(0, now - tonumber(found[i]))) end
return found
