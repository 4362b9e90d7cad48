-- _partition.lua: prepended to every script of this folder. Its functions are what the scripts have in common; the list
-- below is the layout of a partition, version 2 (`v2`).
-- Atomic: every key of a partition carries its tag T, '{app.v2.P1:0}', so each script runs in one slot and is one step.
--   T:g       STRING  gate "<clk> <rf> <uf> <tip> <born> <recent>", the only place of these six: clk = invalidation
--                     clock, rf = read floor (entries with a lower s are dead), uf = highest clk among the unswept
--                     dependencies (0 = none), tip = random name of the last invalidation, born = 48 random bits that
--                     name this history, recent = the tips of the three invalidations before ("-" none): a process that
--                     remembers one of them sees that it is still there. A leading "!" spoils the gate: the slot was
--                     seen half moved
--   T:?       -       a key that never exists: see `use`
--   T:e:<id>  STRING  entry: 36-byte big-endian header | embedded dependencies | value; Redis expires it when its TTL
--                     or the retention ends, whichever comes first
--             header  0 state u8 (1 live) 1 expiry u48 (server ms, 0 none) 7 codec u8 8 s u48 (clock at fetch start)
--                     14 fetch start u48 (server ms) 20 build u48 (orders the builds of a history) 26 born u48
--                     32 depsLen u32
--   T:l:<id>  STRING  lease of a build "<leaseId>|<s>", s = clock when it was granted; expires with the lease
--   T:s:<id>  STRING  copy that may be served as stale: 25-byte header (staleMs u48, ended u48 [server ms of the end,
--                     also of one to come; 0 = neither ended nor with a TTL], s u48, born u48, codec u8) | value; only
--                     of values that were built with staleMs
--   T:d       HASH    id -> its dependencies joined by NUL: the index members to remove with the entry. The directory
--                     of entries
--   T:x:<dep> ZSET    reverse index: ids that depend on dep -> s
--   T:wd      SET     tables and namespaces with too many dependants to index: the sweeper walks the directory for them
--   T:ut      ZSET    id -> expiry (server ms) of entries with a TTL: the sweeper frees the earliest first
--   T:iv      ZSET    dep -> clk of its last invalidation, the newest windowMax (`trim` may leave some more)
--   T:tz      ZSET    tip -> clk, the newest windowMax
--   T:un      ZSET    dep -> clk: invalidated, but its dependants are not all removed yet
--   T:m       HASH    ff = floor of builds (a build with a lower s cannot be judged any more), fc = cursor of the walk
--                     over the directory, ac = clk at which the round of this walk began, st = 1 if there have been
--                     stale copies, sf = stale copies with a lower s must not be served, home = replication id of the
--                     server that owns this history, anc = "born:clk" of the histories that it replaced, each with the
--                     clock up to which it counts (newest 32, blank-separated), bn = number of the newest build or
--                     write, mature = the born for which some process knows that every earlier L1 lease has run out,
--                     mv = version of the membership
--   T:in      ZSET    L1 member -> clk at its last beat      T:ac  HASH  L1 member -> clk up to which it has followed
-- Order of writes: a new entry is indexed first and SET last; an old one is removed first and its index after. A script
-- that dies halfway leaves nothing that is served and not indexed.
--
-- A script names its arguments at its top, and the gate T:g as its key only because Redis wants to know the slot. The
-- list behind the arguments, if any, has a name with dots (`dep...`). Arguments of several scripts:
--   tag: T
--   clkKnown, tipKnown, bornKnown: the position that the caller remembers; bornKnown '' = it remembers none. If the
--     history here lacks it, the script refuses (`useOwn`), and `adopt` begins a new history.
--   newTip: random name of the invalidation that this script carries out
--   newVersion: random name of the membership if this script changes it
--   windowMax: how many invalidated dependencies, and how many tips, are remembered
--   requester: the process whose channel receives the L1s' acknowledgements; '' = nobody waits
--   mvKnown: version of the membership that the caller knows
--   embed: 1 = the reply of a hit carries the dependencies, if there are at most 64, because L1s need them
--   staleMs: how long after the entry's end a copy of its value may be served as stale; 0 = no copy
-- The gate in a reply is the gate after the script. mv, members, mature: see `audience`.
local R, F, Z, S = redis.call, '>BI6BI6I6I6I6I4', '%.0f', '>I6I6I6I6B'
-- Maximum number of indexed dependants of a table or namespace, up to which Redis keeps a ZSET compact; see T:wd.
local WIDE = 128
local GROUP = 64                                        -- maximum number of ids that one `drop` removes
-- Entries and index members that one step removes, and entries that it walks over, before it stops: about 1 ms.
local WORK = 800
local HEADER, COPY = 36, 25                             -- bytes of the headers F and S
local ANCESTORS = 32                                    -- maximum number of histories in `anc`
local T, G, M, clk, rf, uf, tip, born, recent

-- The arguments of a script: `count` of them, which it names at its top, and behind them its list, if it has one. Any
-- other number is a defect, and fails before anything has changed.
local listBegins
local function arguments(count, list)
  if #ARGV < count or #ARGV > count and not list then
    error('takes ' .. count .. ' arguments' .. (list and ' and ' .. list or '') .. ', not ' .. #ARGV)
  end
  listBegins = count + 1
  return unpack(ARGV, 1, count)
end

-- The list behind the arguments.
local function listed()
  local list = {}
  for i = listBegins, #ARGV do list[#list + 1] = ARGV[i] end
  return list
end

local function now() local t = R('TIME'); return t[1] * 1000 + math.floor(t[2] / 1000) end
local function gate() return string.format('%.0f %.0f %.0f %s %.0f %s', clk, rf, uf, tip, born, recent) end
local function storeGate() R('SET', G, gate()) end

-- Parses the gate's text into clk, rf, uf, tip, born and recent; false if it is not a valid gate.
local function parse(text)
  local a, b, c, d, e, f = (text or ''):match('^(%d+) (%d+) (%d+) (%S+) (%d+) (%S+)$')
  if not f then return false end
  clk, rf, uf, tip, born, recent = tonumber(a), tonumber(b), tonumber(c), d, tonumber(e), f
  return true
end

-- Loads the gate, or returns an error reply, which the caller must return before it changes anything (only `adopt` goes
-- on after NOHISTORY).
-- SLOTOPEN: the slot is moving, so keys of this partition may lie on the other node. On such a slot Redis refuses a
--   command with two keys if one is missing, and T:? is always missing. `use` then spoils a gate that is here: if the
--   move is given up halfway, the part of the partition that is left must not pass for all of it.
-- NOHISTORY: there is no gate, or a spoilt one. Only `adopt` begins a history (models slots.pml, histories.pml).
local function use(tag)
  T, G, M = tag, tag .. ':g', tag .. ':m'
  local pair = redis.pcall('MGET', G, T .. ':?')
  if pair.err and not pair.err:find('non local key', 1, true) then return pair end  -- the ACL user lacks the permission
  if pair.err then
    local text = redis.pcall('GET', G)
    if type(text) == 'string' and text:sub(1, 1) ~= '!' then redis.pcall('SET', G, '!' .. text) end
    return redis.error_reply('SLOTOPEN the slot of ' .. T .. ' is moving to another node')
  end
  if not parse(pair[1]) then return redis.error_reply('NOHISTORY ' .. T .. ' has no usable gate') end
end

local function replicationId() return R('INFO', 'replication'):match('master_replid:(%w+)') end

-- Whether the position that a process remembers is part of this history or of a history that this one replaced. A
-- replaced history counts only up to the clock known at its replacement, because it may have gone on elsewhere. In the
-- present history a position older than the remembered tips passes. bornKnown '' = the process remembers none; it
-- passes.
local function recalls(clkKnown, tipKnown, bornKnown)
  if bornKnown == '' then return true end
  local c, at = tonumber(clkKnown), R('ZSCORE', T .. ':tz', tipKnown)
  if at then return tonumber(at) == c end
  if tonumber(bornKnown) ~= born then
    for name, upTo in (R('HGET', M, 'anc') or ''):gmatch('(%d+):(%d+)') do
      if name == bornKnown and c <= tonumber(upTo) then return true end
    end
    return false
  end
  local oldest = R('ZRANGE', T .. ':tz', 0, 0, 'WITHSCORES')[2]
  return oldest ~= nil and c < tonumber(oldest)
end

-- `use` for a script that acknowledges something. It also refuses if this history does not belong to this server, or
-- lacks the position that the caller remembers: an acknowledged invalidation may then be missing here.
local function useOwn(tag, clkKnown, tipKnown, bornKnown)
  local refused = use(tag)
  if refused then return refused end
  if R('HGET', M, 'home') ~= replicationId() then
    return redis.error_reply('NOHISTORY ' .. T .. ' was written under another server')
  end
  if not recalls(clkKnown, tipKnown, bornKnown) then
    return redis.error_reply('NOHISTORY ' .. T .. ' has lost what was acknowledged before')
  end
end

-- Numbers a build, or a write, that begins now; a higher number is newer.
local function nextBuild() return R('HINCRBY', M, 'bn', 1) end

-- Whether one of deps was invalidated after clock s.
local function invalidatedSince(deps, s)
  for i = 1, #deps, 500 do
    local scores = R('ZMSCORE', T .. ':iv', unpack(deps, i, math.min(i + 499, #deps)))
    for j = 1, #scores do if scores[j] and tonumber(scores[j]) > s then return true end end
  end
  return false
end

local function split(joined)
  local deps = {}
  for d in (joined or ''):gmatch('[^%z]+') do deps[#deps + 1] = d end
  return deps
end

-- Whether the entry with this header may be served. The client checks the state, `born`, `rf` and `uf` itself for a
-- one-command hit. joined = its dependencies as T:d has them, if the caller has read them. An entry below uf of which
-- T:d has no record is refused.
local function valid(id, header, joined)
  if not header or #header < HEADER then return false end
  local state, _, _, s, _, _, history = struct.unpack(F, header)
  if state ~= 1 or history ~= born or s < rf then return false end
  if s >= uf then return true end
  joined = joined or R('HGET', T .. ':d', id)
  return joined and not invalidatedSince(split(joined), s)
end

local function mayBeWide(d) return d:sub(1, 2) == 'a:' or d:sub(1, 2) == 'n:' end
local function isWide(d) return mayBeWide(d) and R('SISMEMBER', T .. ':wd', d) == 1 end

-- Records in the stale copies of these ids that their entries end now, and how long Redis still keeps them. A copy
-- whose entry has ended before stays as it is.
local function endStale(ids)
  if R('HGET', M, 'st') ~= '1' then return end
  local at = now()
  for _, id in ipairs(ids) do
    local C = T .. ':s:' .. id
    local header = R('GETRANGE', C, 0, 11)
    if #header == 12 then
      local staleMs, ended = struct.unpack('>I6I6', header)
      if ended == 0 or ended > at then
        R('SETRANGE', C, 6, struct.pack('>I6', at))
        R('PEXPIRE', C, staleMs)
      end
    end
  end
end

local work = 0
local function isSpent() return work >= WORK end

-- Removes entries and their index, values first; stale copies stay, see `endStale`. It takes the first GROUP of ids, or
-- fewer if the work of the step is done before, but at least one. Returns how many had a value, and how many it took.
local function drop(ids)
  if #ids == 0 then return 0, 0 end
  local group = { unpack(ids, 1, GROUP) }
  local joined, keys, members = R('HMGET', T .. ':d', unpack(group)), {}, {}
  for i, id in ipairs(group) do
    if i > 1 and isSpent() then group = { unpack(group, 1, i - 1) }; break end
    local deps = split(joined[i])
    work = work + 1 + #deps
    keys[i] = T .. ':e:' .. id
    for _, d in ipairs(deps) do
      local those = members[d]
      if those then those[#those + 1] = id else members[d] = { id } end
    end
  end
  local had = R('UNLINK', unpack(keys))
  endStale(group)
  for d, those in pairs(members) do R('ZREM', T .. ':x:' .. d, unpack(those)) end
  R('HDEL', T .. ':d', unpack(group))
  R('ZREM', T .. ':ut', unpack(group))
  return had, #group
end

-- Drops ids, the first ones first, until all are gone or the work of the step is done; returns how many are gone.
local function dropSome(ids)
  local done = 0
  while done < #ids do
    local _, count = drop({ unpack(ids, done + 1, math.min(done + GROUP, #ids)) })
    done = done + count
    if isSpent() then break end
  end
  return done
end

-- Writes the copy that may be served as stale for staleMs after `ended`, which may be to come (0: the entry lives and
-- has no TTL); px = how long Redis keeps the copy.
local function putCopy(id, codec, s, ended, px, staleMs, value)
  R('HSET', M, 'st', '1')
  R('SET', T .. ':s:' .. id, struct.pack(S, staleMs, ended, s, born, codec) .. value, 'PX', px)
end

-- Writes an entry, its index and, if staleMs > 0, its stale copy. at = when its fetch began, build = its number, px =
-- its lifetime from now in ms; expiresAt = its end by this server's clock if it has a TTL of its own, else 0; embed and
-- staleMs as at the top of this file.
local function put(id, deps, codec, s, at, build, px, expiresAt, embed, staleMs, value)
  local joined = table.concat(deps, '\0')
  local embedded = embed == '1' and #deps <= 64 and joined or ''
  for _, d in ipairs(deps) do
    local X = T .. ':x:' .. d
    if not isWide(d) then
      R('ZADD', X, s, id)
      if mayBeWide(d) and R('ZCARD', X) > WIDE then
        R('SADD', T .. ':wd', d)
        R('DEL', X)
      end
    end
  end
  R('HSET', T .. ':d', id, joined)
  if expiresAt > 0 then R('ZADD', T .. ':ut', expiresAt, id) end
  if staleMs > 0 then putCopy(id, codec, s, expiresAt, px + staleMs, staleMs, value)
  elseif R('HGET', M, 'st') == '1' then R('DEL', T .. ':s:' .. id) end
  R('SET', T .. ':e:' .. id, struct.pack(F, 1, expiresAt, codec, s, at, build, born, #embedded) .. embedded .. value, 'PX', px)
end

-- Tells the waiters of a lease how it ended: NUL-separated id, lease id, outcome ('' ended, 'F' fetch failed), code,
-- message.
local function wake(id, leaseId, outcome, code, message)
  R('PUBLISH', T .. ':wk', table.concat({ id, leaseId, outcome or '', code or '', message or '' }, '\0'))
end

local function endLease(id)
  local lease = R('GET', T .. ':l:' .. id)
  if lease then
    R('DEL', T .. ':l:' .. id)
    wake(id, lease:match('^[^|]*'))
  end
end

-- Advances the clock by one invalidation, whose name is newTip, and records it; the caller stores the gate. Returns the
-- previous tip.
local function tick(newTip)
  local previous = tip
  recent = (tip .. ',' .. recent):match('^[^,]*,[^,]*,[^,]*') or (tip .. ',' .. recent)
  clk, tip = clk + 1, newTip
  R('ZADD', T .. ':tz', clk, tip)
  return previous
end

-- Announces the invalidation of deps to all processes; more than 200 dependencies as '*', which means everything.
local function announce(previous, deps, requester)
  local asks = requester == '' and '-' or requester
  R('PUBLISH', T .. ':bus', string.format('I %.0f %s %s %s %.0f\n', clk, tip, previous, asks, born)
    .. (#deps <= 200 and table.concat(deps, '\0') or '*'))
end

-- The L1s that must acknowledge: membership version, members (blank-separated; '=' if the caller knows this version),
-- maturity (1 if every L1 lease from before this history is known to have run out, else 0).
local function audience(mvKnown)
  local mv = R('HGET', M, 'mv') or '-'
  local members = mv == mvKnown and '=' or table.concat(R('ZRANGE', T .. ':in', 0, -1), ' ')
  return mv, members, R('HGET', M, 'mature') == Z:format(born) and 1 or 0
end

-- The audience in the reply of a script that has announced nothing: no L1 has to acknowledge.
local function noAudience() return '-', '', 1 end

-- Forgets the oldest tips beyond windowMax, and the oldest invalidated dependencies beyond windowMax: at most 1,000 a
-- call, and none from the first on whose dependants are unswept. The floor of builds is raised first. A build that
-- began below the floor, or at a forgotten tip, is refused, which is safe.
local function trim(windowMax)
  local over, floor = R('ZCARD', T .. ':iv') - windowMax, nil
  if over > 0 then
    local oldest, last = R('ZRANGE', T .. ':iv', 0, math.min(over, 1000) - 1, 'WITHSCORES'), 0
    for i = 1, #oldest, 2 do
      if R('ZSCORE', T .. ':un', oldest[i]) then break end
      last, floor = i, oldest[i + 1]
    end
    if floor then
      R('HSET', M, 'ff', Z:format(math.max(tonumber(floor), tonumber(R('HGET', M, 'ff') or '0'))))
      for i = 1, last, 2 do R('ZREM', T .. ':iv', oldest[i]) end
    end
  end
  R('ZREMRANGEBYRANK', T .. ':tz', 0, -(windowMax + 1))
end
