-- extend: postpone the end of a valid entry with a TTL.
-- Atomic: the entry cannot fall between the check and the write, which would bring it back.
-- KEYS T:g
-- ARGV tag id ttlMs absoluteMs
--   ttlMs: the new end is this long from now, and never before the present end
--   absoluteMs: the new end is at most this long after the fetch began; -1 = no such limit
-- -> 1 such an entry exists (its end may already be later), 0 none exists
local tag, id, ttlMs, absoluteMs = arguments(4)
local refused = use(tag)
if refused then return refused end
local at, limit = now(), tonumber(absoluteMs)
local E, C = T .. ':e:' .. id, T .. ':s:' .. id
local header = R('GETRANGE', E, 0, HEADER - 1)
if not valid(id, header) then return 0 end
local _, ends, _, _, fetchedAt = struct.unpack(F, header)
if ends == 0 then return 0 end
local later = at + tonumber(ttlMs)
if limit >= 0 then later = math.min(later, fetchedAt + limit) end
if later <= ends then return 1 end
R('ZADD', T .. ':ut', later, id)
R('SETRANGE', E, 1, struct.pack('>I6', later))
R('PEXPIRE', E, later - at)
local copy = R('GETRANGE', C, 0, 5)
if #copy == 6 then
  R('SETRANGE', C, 6, struct.pack('>I6', later))
  R('PEXPIRE', C, later - at + struct.unpack('>I6', copy))
end
return 1
