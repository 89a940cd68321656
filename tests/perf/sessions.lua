-- Copies everything that Redis holds of the users u000 … u999 to new users, copyNNNNNN with NNNNNN from ARGV[1] to ARGV[2], the
-- measured users in turn being the pattern. Knows nothing of the layout but that keys, and members of shared sets and hashes,
-- carry the user's name as a word. Returns how many keys and how many members it made.
local from, to = tonumber(ARGV[1]), tonumber(ARGV[2])
local users, own, places = {}, {}, {}

local function user_in(text)
  local user = text:match("%f[%w](u%d%d%d)%f[%W]")
  if user and not own[user] then
    own[user], places[user] = {}, {}
    table.insert(users, user)
  end
  return user
end

local function place(key, member, command, value)
  local user = user_in(member)
  if user then table.insert(places[user], { key, member, command, value }) end
end

local function look_into(key)
  local kind = redis.call("TYPE", key).ok
  if kind == "zset" then
    local all = redis.call("ZRANGE", key, 0, -1, "WITHSCORES")
    for i = 1, #all, 2 do place(key, all[i], "ZADD", all[i + 1]) end
  elseif kind == "hash" then
    local all = redis.call("HGETALL", key)
    for i = 1, #all, 2 do place(key, all[i], "HSET", all[i + 1]) end
  elseif kind == "set" then
    for _, member in ipairs(redis.call("SMEMBERS", key)) do place(key, member, "SADD") end
  end
end

local cursor = "0"
repeat
  local page = redis.call("SCAN", cursor, "COUNT", 10000)
  cursor = page[1]
  for _, key in ipairs(page[2]) do
    local user = user_in(key)
    if user then
      table.insert(own[user], key)
    elseif not key:find("copy%d") then
      look_into(key)
    end
  end
until cursor == "0"
if #users == 0 then return { 0, 0 } end

local keys, members = 0, 0
for n = from, to do
  local user, name = users[n % #users + 1], string.format("copy%06d", n)
  local word = "%f[%w]" .. user .. "%f[%W]"
  for _, key in ipairs(own[user]) do
    local copy = key:gsub(word, name)
    keys = keys + redis.call("COPY", key, copy, "REPLACE")
  end
  for _, at in ipairs(places[user]) do
    local key, member, command, value = unpack(at)
    local copy = member:gsub(word, name)
    if command == "ZADD" then
      redis.call("ZADD", key, value, copy)
    elseif command == "HSET" then
      redis.call("HSET", key, copy, value)
    else
      redis.call("SADD", key, copy)
    end
    members = members + 1
  end
end
return { keys, members }
