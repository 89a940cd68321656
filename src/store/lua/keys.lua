-- keys: API keys of a user. Stands before the scripts that make, list and take away keys, after gate.
-- A key is a field of the account: 'k:<digest>' -> '<made>|<ends>|<scopes>|<name>', so that the gate finds it in the account that it reads anyway.

-- calls each with field, made, ends, scopes, name of every key that has not ended; those that have ended go if it is said so
local function each_key(account, clean, each)
  local all = redis.call('HGETALL', account)
  for i = 1, #all, 2 do
    if string.sub(all[i], 1, 2) == 'k:' then
      local made, ends, scopes, name = string.match(all[i + 1], '^(%d+)|(%d+)|([^|]*)|(.*)$')
      if made and tonumber(ends) > now then
        each(all[i], made, ends, scopes, name)
      elseif clean then
        redis.call('HDEL', account, all[i])
      end
    end
  end
end

