-- The load that goes on while replicas come and go: reads of the history and turns, half and half, by many users.
-- A user's session takes one turn at a time, so a token is lent to one request and comes back with its answer, which names the user.
-- Arguments: the file of tokens ("user token" a line). Prints `name value` lines for tests/compose/run.

local threads = {}

function setup(thread)
  thread:set("share", #threads)
  table.insert(threads, thread)
end

function init(args)
  tokens, free = {}, {}
  answered, refused, lent, replicas, seen = 0, 0, 0, "", {}
  first_refusal = ""
  local n = 0
  for line in io.lines(args[1]) do
    local user, token = line:match("^(%S+) (%S+)$")
    if n % 2 == share then
      tokens[user] = token
      table.insert(free, user)
    end
    n = n + 1
  end
end

function request()
  -- With every token lent (a request was lost), what needs none is asked.
  if #free == 0 then return wrk.format("GET", "/health/live") end
  local user = table.remove(free, 1)
  lent = lent + 1
  local headers = { Authorization = "Bearer " .. tokens[user], ["Content-Type"] = "application/json" }
  if lent % 2 == 0 then return wrk.format("GET", "/api/history", headers) end
  return wrk.format("POST", "/api/process", headers, '{"message":"list users page 1"}')
end

function response(status, headers, body)
  if status == 200 then
    answered = answered + 1
  else
    refused = refused + 1
    if first_refusal == "" then first_refusal = status .. " " .. body:sub(1, 200):gsub("%s+", " ") end
  end
  local user = body:match('"user_id"%s*:%s*"([^"]+)"')
  if user and tokens[user] then table.insert(free, user) end
  local replica = headers["x-replica"] or headers["X-Replica"]
  if replica and not seen[replica] then
    seen[replica] = true
    replicas = replicas .. replica .. ","
  end
end

function done(summary, latency)
  local good, bad, all, first = 0, 0, "", ""
  for _, thread in ipairs(threads) do
    good = good + thread:get("answered")
    bad = bad + thread:get("refused")
    all = all .. thread:get("replicas")
    if first == "" then first = thread:get("first_refusal") end
  end
  local e = summary.errors
  print("answered " .. good)
  print("refused " .. bad)
  print("lost " .. e.connect + e.read + e.write)
  print("late " .. e.timeout)
  print("seconds " .. summary.duration / 1000000)
  print("p50_ms " .. latency:percentile(50) / 1000)
  print("p99_ms " .. latency:percentile(99) / 1000)
  print("max_ms " .. latency.max / 1000)
  print("replicas " .. all)
  if first ~= "" then print("first_refusal " .. first) end
end
