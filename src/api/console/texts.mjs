// What the page says, in English and Chinese, and which of the two it speaks.

import { make } from "./element.mjs";

const TEXTS = {
  menu: ["Session and API", "会话与 API"],
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
  api: ["API", "API"],
  api_version: ["Version", "版本"],
  api_address: ["Address", "地址"],
  functions: ["Functions", "函数"],
  session: ["Session", "会话"],
  session_id: ["Session id", "会话 ID"],
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
  new_session_question: ["Begin a new session?", "开始新会话？"],
  new_session_about: ["The present conversation ends and can't be brought back.", "当前对话将结束，且无法恢复。"],
  new_session_done: ["A new session has begun.", "新会话已开始。"],
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
  shortened: ["… {0} more characters", "… 还有 {0} 个字符"],
  tokens: ["{0} tokens ({1} in, {2} out)", "{0} 个 token（输入 {1}，输出 {2}）"],
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
};

const REMEMBERED = "console.language";
let language = localStorage.getItem(REMEMBERED) ?? (navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en");

/** More texts, of pages that have their own. */
export const learn = (texts) => void Object.assign(TEXTS, texts);

/** `en` or `zh`. */
export const spoken = () => (language === "zh" ? "zh" : "en");

/** The text of this name in the language spoken; `{0}`, `{1}` … are filled in. */
export function say(name, ...values) {
  const text = TEXTS[name][spoken() === "zh" ? 1 : 0];
  return text.replace(/\{(\d)\}/g, (_, n) => String(values[Number(n)] ?? ""));
}

/** An element that says something and follows when the language changes. */
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

/** Puts every text of the page, or of a part of it, into the language spoken. */
export function translate(root = document) {
  document.documentElement.lang = spoken() === "zh" ? "zh-CN" : "en";
  for (const element of root.querySelectorAll("[data-text]")) {
    element.textContent = say(element.dataset.text, ...JSON.parse(element.dataset.values ?? "[]"));
  }
  for (const element of root.querySelectorAll("[data-label]")) {
    element.setAttribute("aria-label", say(element.dataset.label));
    if (element.matches("button")) element.title = say(element.dataset.label);
  }
  for (const element of root.querySelectorAll("[data-placeholder]")) element.placeholder = say(element.dataset.placeholder);
}
