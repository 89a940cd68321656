// What the page says, in English and Chinese, and which of the two it speaks.

import { make } from "./element.mjs";

/** @type {Record<string, [string, string]>} */
const TEXTS = {
  switch_language: ["切换到中文", "Switch to English"],
  other_language: ["中文", "English"],
  sign_in_title: ["Sign in", "登录"],
  sign_in_about: ["Say what you want in your own words; the agent calls the API for you.", "用自己的话说出需求，由智能体替你调用 API。"],
  sign_in_hint: [
    "First start? The name and password of the first user were printed where the service was started.",
    "首次启动？第一个用户的用户名和密码已打印在启动服务的终端里。",
  ],
  sign_in: ["Sign in", "登录"],
  signing_in: ["Signing in…", "正在登录…"],
  sign_out: ["Sign out", "退出登录"],
  signed_out: ["You have signed out.", "你已退出登录。"],
  session_expired: ["Your sign-in has expired. Sign in again to go on; nothing you typed is lost.", "登录已过期，请重新登录后继续；已输入的内容不会丢失。"],
  user_name: ["User name", "用户名"],
  password: ["Password", "密码"],
  api_version: ["Version", "版本"],
  api_address: ["Address", "地址"],
  functions: ["Functions", "函数"],
  session_id: ["Session id", "会话 ID"],
  session_totals: ["Since it began", "开始以来"],
  session_totals_of: ["Turns: {0}. Calls: {1} ({2} that may change something). Tokens: {3}.", "{0} 轮，{1} 次调用（其中 {2} 次可能更改数据），{3} 个 token"],
  session_totals_estimated: ["Turns: {0}. Calls: {1} ({2} that may change something). Tokens: about {3}.", "{0} 轮，{1} 次调用（其中 {2} 次可能更改数据），约 {3} 个 token"],
  planner: ["Planner", "规划器"],
  planner_model: ["Language model", "语言模型"],
  planner_offline: ["Offline, no model", "离线，未配置模型"],
  badge_model: ["Model", "模型"],
  badge_offline: ["Offline", "离线"],
  signed_in_until: ["Signed in until", "登录有效至"],
  model_problem: ["Last problem with the model: {0}", "模型最近一次出错：{0}"],
  model_away: [
    "The model cannot be asked ({0}). Until it can, the offline planner does what is said plainly.",
    "暂时无法使用模型（{0}）。在恢复之前，由离线规划器处理简单直接的请求。",
  ],
  offline_notice: [
    "No model is configured, so only plain requests are understood, such as “list users page 2”. Set DEEPSEEK_API_KEY, or DEEPSEEK_API_URL for another model, and restart to talk freely.",
    "未配置模型，只能理解简单直接的请求，例如“查询所有订单”。设置 DEEPSEEK_API_KEY（或用 DEEPSEEK_API_URL 指定其他模型）并重启后即可自由对话。",
  ],
  new_session: ["New session", "新会话"],
  clear_history: ["Clear history", "清空历史"],
  clear_history_question: ["Clear the whole history?", "清空全部历史记录？"],
  clear_history_about: ["All messages of this session are deleted and can't be brought back.", "此会话的所有消息都将删除，且无法恢复。"],
  clear_history_done: ["The history is empty now.", "历史记录已清空。"],
  sign_out_question: ["Sign out now?", "现在退出登录？"],
  sign_out_about: ["A message is still being worked on. It is finished all the same, and its answer will be in your history.", "有一条消息仍在处理中。它会继续完成，答复将保存在历史记录里。"],
  docs_title: ["The API of this service", "本服务的 API"],
  docs_link: ["API document", "API 文档"],
  admin_link: ["Administration", "系统管理"],
  docs_console: ["To the console", "返回控制台"],
  docs_signed_in: ["Requests are sent as {0}.", "请求将以 {0} 的身份发送。"],
  docs_signed_out: ["You are not signed in: sign in on the console, and come back in this tab.", "尚未登录：请先在控制台登录，然后在此标签页返回。"],
  docs_unreadable: ["The document could not be fetched. Load the page again.", "无法获取文档，请重新加载页面。"],
  docs_needed: ["required", "必填"],
  docs_body: ["Body (JSON)", "请求内容（JSON）"],
  docs_send: ["Send", "发送"],
  docs_no_answer: ["Nobody answered.", "没有收到应答。"],
  cancel: ["Cancel", "取消"],
  conversation: ["Conversation", "对话"],
  older: ["Earlier messages", "更早的消息"],
  message: ["Message", "消息"],
  message_placeholder: ["What do you want to do?", "你想做什么？"],
  message_hint: ["Enter sends, Shift + Enter begins a new line", "Enter 发送，Shift + Enter 换行"],
  send: ["Send", "发送"],
  working: ["Working…", "处理中…"],
  you: ["You", "你"],
  agent: ["Agent", "智能体"],
  welcome_title: ["What would you like to do?", "你想做什么？"],
  welcome_about: ["Write it in your own words, or begin with an example:", "用自己的话描述，或从示例开始："],
  parameters: ["Parameters", "参数"],
  result: ["Result", "结果"],
  problem: ["Problem", "问题"],
  no_parameters: ["none", "无"],
  failed: ["failed", "失败"],
  done: ["done", "完成"],
  asks_first: ["waits for your yes", "等待确认"],
  declined: ["not sent", "未发送"],
  outcome_unknown: ["outcome not known", "结果未知"],
  shortened: ["… {0} more characters", "… 还有 {0} 个字符"],
  tokens: ["{0:token:tokens} ({1} in, {2} out)", "{0} 个 token（输入 {1}，输出 {2}）"],
  copy: ["Copy", "复制"],
  copied: ["Copied", "已复制"],
  retry: ["Try again", "重试"],
  retry_in: ["Trying again in {0} s", "{0} 秒后重试"],
  retry_wait: ["Try again ({0} s)", "重试（{0} 秒）"],
  put_back: ["Edit", "编辑"],
  request_id: ["Request {0}", "请求 {0}"],
  unreachable: ["The service can't be reached. Your message is kept.", "无法连接到服务，你的消息已保留。"],
  service_away: ["The service can't be reached.", "无法连接到服务。"],
  strange_answer: ["The service answered {0} without saying why.", "服务返回 {0}，未说明原因。"],
  table: ["Table, scrolls sideways", "表格，可横向滚动"],
  close: ["Close", "关闭"],
  panel: ["Sessions and more", "会话及更多"],
  places: ["More", "更多"],
  about: ["About the API and this session", "关于 API 与此会话"],
  account: ["Account", "账户"],

  sessions: ["Sessions", "会话"],
  session_search: ["Search sessions", "搜索会话"],
  sessions_none: ["No session has that in its title or conversation.", "没有标题或内容匹配的会话。"],
  main_session: ["Main session", "主会话"],
  untitled: ["New session", "新会话"],
  pinned: ["Pinned", "已置顶"],
  session_menu: ["What can be done with this session", "此会话的操作"],
  session_expiry: ["Ends {0} unless used", "若不使用，将于 {0} 结束"],
  session_over: ["This session has ended", "此会话已结束"],
  session_latest: ["However much it is used, it ends {0}.", "无论是否使用，最晚于 {0} 结束。"],
  rename: ["Rename", "重命名"],
  rename_title: ["Rename this session", "重命名会话"],
  rename_about: ["Left empty, the first message is its name.", "留空则以第一条消息命名。"],
  session_name: ["Name", "名称"],
  pin: ["Pin", "置顶"],
  unpin: ["Unpin", "取消置顶"],
  fork_whole: ["Branch off", "创建分支"],
  fork_done: ["This is the new branch; the session it came from stays as it is.", "这是新的分支，原会话保持不变。"],
  export_json: ["Export as JSON", "导出为 JSON"],
  export_markdown: ["Export as Markdown", "导出为 Markdown"],
  import_session: ["Import a session from a file", "从文件导入会话"],
  import_done: ["This is the session of that file.", "这是该文件中的会话。"],
  end_session: ["End session", "结束会话"],
  end_session_question: ["End this session?", "结束此会话？"],
  end_session_about: ["Its conversation is deleted, and what runs in it is stopped. It can't be brought back.", "其对话将被删除，正在进行的处理会停止，且无法恢复。"],
  end_session_done: ["The session was ended.", "会话已结束。"],
  act_edit: ["Edit", "编辑"],
  act_fork: ["Branch off here", "由此创建分支"],
  act_rewind: ["Take back", "撤回"],
  rewind: ["Take back", "撤回"],
  rewind_question: ["Take back this message and all after it?", "撤回此消息及其后的全部内容？"],
  rewind_about: ["They go out of the conversation. What calls have changed stays changed.", "它们将从对话中移除；调用已产生的更改不会撤销。"],
  rewind_done: ["The conversation ends before that message now.", "对话已回退到该消息之前。"],
  editing: ["You are changing an earlier message. When you send it, it takes the place of that one and of all after it.", "你正在修改之前的消息；发送后将取代该消息及其后的全部内容。"],
  editing_stop: ["Leave it as it was", "保持不变"],

  confirm_title: ["Waits for your confirmation", "等待你的确认"],
  confirm_send: ["Send", "发送"],
  confirm_not: ["Don't send", "不发送"],
  confirm_until: ["Can be sent until {0}, unless something else is said first.", "可在 {0} 之前发送；若先说了别的内容则失效。"],
  confirm_expired: ["It was not decided in time and can't be sent any more: ask for it again.", "未及时决定，已无法发送；请重新提出请求。"],
  confirm_over: ["Nothing more is sent on its strength: something else was said since, or it was decided.", "已失效：之后已有其他消息，或已做出决定。"],
  confirm_sent: ["You said yes: what came of it stands below.", "你已同意：结果见下方。"],
  confirm_declined: ["You said no: nothing was sent.", "你已拒绝：未发送。"],
  said_yes: ["yes", "确认"],
  said_no: ["no", "取消"],

  stop: ["Stop", "停止"],
  stopping: ["Stopping…", "正在停止…"],
  queued: ["Waiting for the turn before…", "正在等待前一个请求…"],
  recovering: ["Another replica goes on with it…", "已由另一副本接续处理…"],
  connection_lost: ["The connection was lost; the work goes on. Trying to connect again…", "连接已断开，处理仍在进行；正在重新连接…"],
  no_connection: ["The service can't be reached. What you typed is kept; trying again…", "无法连接到服务；已输入的内容会保留，正在重试…"],
  service_away_again: ["The service can't be reached. Try again.", "无法连接到服务，请重试。"],
  expiring: ["Your sign-in ends at {0}.", "登录将于 {0} 过期。"],
  stay_signed_in: ["Stay signed in", "保持登录"],
  cannot_stay: ["No tab of this browser can go on with this sign-in: sign in again when it has ended. What you typed is kept.", "此浏览器中没有标签页能延续本次登录；过期后请重新登录，已输入的内容会保留。"],

  change_title: ["Choose a new password", "设置新密码"],
  change_about: ["Your password must be changed before you go on.", "继续之前必须修改密码。"],
  change_own_about: ["All your other sign-ins end when it is changed.", "修改后，其他设备上的登录都会失效。"],
  change_password: ["Change password", "修改密码"],
  changing_password: ["Changing…", "正在修改…"],
  password_changed: ["The password was changed.", "密码已修改。"],
  old_password: ["Present password", "当前密码"],
  new_password: ["New password", "新密码"],
  new_password_again: ["New password again", "再次输入新密码"],
  password_rule: ["12 to 128 characters, and not your name.", "12 至 128 个字符，且不能与用户名相同。"],
  passwords_differ: ["The new password was typed in two ways.", "两次输入的新密码不一致。"],

  function_search: ["Search functions", "搜索函数"],
  functions_found: ["{0:function:functions}", "{0} 个函数"],
  functions_more: ["{0} functions, the first {1} are shown: say more of what you look for", "{0} 个函数，仅显示前 {1} 个，请输入更多关键字"],
  function_gone: ["There is no function {0}, or not any more.", "没有函数 {0}，或已不存在。"],
  call_now: ["Call", "调用"],
  call_about: ["It is sent at once, without asking again. The conversation does not show it.", "将立即发送，不再询问；对话中不会显示。"],
  required: ["required", "必填"],
  kind_text: ["text", "文本"],
  kind_integer: ["whole number", "整数"],
  kind_number: ["number", "数字"],
  kind_choice: ["choice", "选项"],
  kind_object: ["object", "对象"],
  kind_list: ["list", "列表"],
  add_row: ["Add", "添加"],
  remove_row: ["Remove", "移除"],
  field_missing: ["This is required.", "必填。"],
  field_number: ["This must be a number.", "必须是数字。"],
  field_integer: ["This must be a whole number.", "必须是整数。"],
  field_too_big: ["This number is too large to be sent exactly.", "该数字过大，无法精确发送。"],
  field_min: ["This must be at least {0}.", "不能小于 {0}。"],
  field_max: ["This must be at most {0}.", "不能大于 {0}。"],
  field_short: ["This must have at least {0} characters.", "至少需要 {0} 个字符。"],
  field_long: ["This must have at most {0} characters.", "最多 {0} 个字符。"],
  field_bad: ["This is not complete, or not right.", "填写不完整或不正确。"],
  field_few: ["This must have at least {0} elements.", "至少需要 {0} 项。"],
  field_json: ["This is no JSON: {0}", "不是有效的 JSON：{0}"],

  credentials: ["Credentials for the API", "API 凭据"],
  credentials_about: ["Your own are sent for your calls only, to the API alone, and shown to nobody, not even to you.", "仅用于你自己的调用，只发送给该 API，不会显示给任何人，包括你自己。"],
  credentials_none: ["The API's document asks for no credentials.", "此 API 的文档不要求凭据。"],
  credential_set: ["set {0}", "已设置（{0}）"],
  credential_unset: ["not set", "未设置"],
  credential_value: ["Value", "值"],
  credential_saved: ["The credential was saved.", "凭据已保存。"],
  credential_removed: ["The credential was removed.", "凭据已移除。"],
  remove: ["Remove", "移除"],
  remove_credential: ["Remove", "移除"],
  remove_credential_question: ["Remove this credential?", "移除此凭据？"],
  remove_credential_about: ["Calls that need it fail until you set another one, unless the operator set one for all.", "在你设置新凭据之前，需要它的调用会失败，除非运维人员为所有人设置了凭据。"],
  save: ["Save", "保存"],
  keys: ["API keys", "API 密钥"],
  keys_about: ["For programs that act as you. A key is shown once, when it is made.", "供代表你运行的程序使用；密钥仅在创建时显示一次。"],
  keys_none: ["You have no API key.", "你还没有 API 密钥。"],
  key_name: ["Name", "名称"],
  key_scopes: ["Scopes", "权限"],
  key_no_scopes: ["none", "无"],
  key_made: ["Made", "创建时间"],
  key_until: ["Good until", "有效至"],
  key_days: ["Good for", "有效期"],
  days: ["{0:day:days}", "{0} 天"],
  make_key: ["Make key", "创建密钥"],
  revoke: ["Revoke", "撤销"],
  revoke_question: ["Revoke this key?", "撤销此密钥？"],
  revoke_about: ["Programs that use it are refused at once, and what was begun with it stops.", "使用它的程序将立即被拒绝，由其发起的处理会停止。"],
  service_says: ["{0}", "{0}"],
};

const REMEMBERED = "console.language";
let language = localStorage.getItem(REMEMBERED) ?? (navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en");

/** More texts, of pages that have their own. */
export const learn = (texts) => void Object.assign(TEXTS, texts);

/** `en` or `zh`. */
export const spoken = () => (language === "zh" ? "zh" : "en");

/** The text of this name in the language spoken; `{0}`, `{1}` … are filled in, `{0:day:days}` with the word that fits the number. @param {string} name @param {...any} values */
export function say(name, ...values) {
  const text = TEXTS[name][spoken() === "zh" ? 1 : 0];
  return text.replace(/\{(\d)(?::(.*?):(.*?))?\}/g, (_, n, one, more) => {
    const value = String(values[Number(n)] ?? "");
    return one === undefined ? value : `${value} ${value === "1" ? one : more}`;
  });
}

/**
 * An element that says something and follows when the language changes.
 * @param {string} tag @param {Record<string, unknown>} attributes @param {string} name @param {...any} values @returns {any}
 */
export function telling(tag, attributes, name, ...values) {
  return retell(make(tag, attributes), name, ...values);
}

/** Lets an element say something else. */
export function retell(element, name, ...values) {
  element.dataset.text = name;
  element.dataset.values = JSON.stringify(values);
  element.textContent = say(name, ...values);
  return element;
}

/** The other language from now on, on the whole page and the next time too. */
export function switchLanguage() {
  language = spoken() === "zh" ? "en" : "zh";
  localStorage.setItem(REMEMBERED, language);
  translate();
}

/** Puts every text of the page, or of a part of it, into the language spoken. @param {ParentNode} root */
export function translate(root = document) {
  document.documentElement.lang = spoken() === "zh" ? "zh-CN" : "en";
  /** @type {NodeListOf<HTMLElement>} */
  const told = root.querySelectorAll("[data-text]");
  for (const element of told) {
    element.textContent = say(element.dataset.text, ...JSON.parse(element.dataset.values ?? "[]"));
  }
  /** @type {NodeListOf<HTMLElement>} */
  const labelled = root.querySelectorAll("[data-label]");
  for (const element of labelled) {
    element.setAttribute("aria-label", say(element.dataset.label));
    if (element.matches("button")) element.title = say(element.dataset.label);
  }
  /** @type {NodeListOf<HTMLInputElement>} */
  const hinted = root.querySelectorAll("[data-placeholder]");
  for (const element of hinted) element.placeholder = say(element.dataset.placeholder);
}
