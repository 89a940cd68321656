//! A document of what an office works with: the same five operations for each thing, and some that one thing alone has.

use serde_json::{Map, Value, json};

const THINGS: [&str; 60] = [
    "invoice",
    "customer",
    "subscription",
    "coupon",
    "warehouse",
    "supplier",
    "leaveRequest",
    "campaign",
    "report",
    "order",
    "ticket",
    "meeting",
    "server",
    "task",
    "forecast",
    "project",
    "payment",
    "product",
    "employee",
    "department",
    "contract",
    "quote",
    "asset",
    "vehicle",
    "booking",
    "room",
    "course",
    "student",
    "article",
    "comment",
    "tag",
    "category",
    "shipment",
    "carrier",
    "refund",
    "wallet",
    "account",
    "currency",
    "role",
    "permission",
    "session",
    "device",
    "sensor",
    "alert",
    "dashboard",
    "backup",
    "database",
    "domain",
    "certificate",
    "webhook",
    "template",
    "document",
    "folder",
    "survey",
    "question",
    "answer",
    "team",
    "member",
    "event",
    "calendar",
];

pub fn document() -> Value {
    let ok = json!({"200": {"description": "done"}});
    let id = json!([{"name": "id", "in": "path", "required": true, "schema": {"type": "string"}}]);
    let page = json!([{"name": "page", "in": "query", "schema": {"type": "integer"}}]);
    let mut paths = Map::new();
    let upper = |name: &str| name[..1].to_uppercase() + &name[1..];
    let plural = |name: &str| if let Some(head) = name.strip_suffix('y') { format!("{head}ies") } else { format!("{name}s") };
    for thing in THINGS {
        let (one, many) = (upper(thing), upper(&plural(thing)));
        let operation = |verb: &str, name: &str, summary: &str| json!({"operationId": format!("{verb}{name}"), "summary": summary, "tags": [many], "responses": ok});
        let mut list = operation("list", &many, &format!("All {many}, page by page"));
        list["parameters"] = page.clone();
        paths.insert(format!("/{}", plural(thing)), json!({"get": list, "post": operation("create", &one, &format!("A new {one}"))}));
        paths.insert(
            format!("/{}/{{id}}", plural(thing)),
            json!({
                "parameters": id,
                "get": operation("get", &one, &format!("One {one}")),
                "patch": operation("update", &one, &format!("Changes of a {one}")),
                "delete": operation("delete", &one, &format!("Removes a {one}")),
            }),
        );
    }
    for (method, path, name) in [
        ("post", "/subscriptions/{id}/cancel", "cancelSubscription"),
        ("post", "/leaveRequests/{id}/approve", "approveLeaveRequest"),
        ("post", "/campaigns/{id}/send", "sendCampaign"),
        ("get", "/reports/{id}/export", "exportReport"),
        ("get", "/orders/{id}/shipments", "listOrderShipments"),
        ("post", "/tickets/{id}/comments", "createTicketComment"),
        ("get", "/meetings/{id}/participants", "listMeetingParticipants"),
        ("post", "/servers/{id}/restart", "restartServer"),
        ("post", "/tasks/{id}/assign", "assignTask"),
        ("post", "/projects/{id}/archive", "archiveProject"),
        ("post", "/payments/{id}/refund", "refundPayment"),
    ] {
        paths.insert(path.to_owned(), json!({"parameters": id, method: {"operationId": name, "responses": ok}}));
    }
    json!({"openapi": "3.0.3", "info": {"title": "Office", "version": "1"}, "paths": paths})
}
