import { tidy, type Language, type Plan } from "./plan";

const server = (header: string) => `$_SERVER['HTTP_${header.toUpperCase().replaceAll("-", "_")}'] ?? ''`;

function mac(key: string, bytes: string, hash: string, encoding: string): string {
  return encoding === "base64" ? `base64_encode(hash_hmac('${hash}', ${bytes}, ${key}, true))` : `hash_hmac('${hash}', ${bytes}, ${key})`;
}

function verify(p: Plan): string {
  switch (p.kind) {
    case "none":
      return "";
    case "single":
      return `function verify(string $body, string $secret): bool
{
    $want = ${p.prefix ? `'${p.prefix}' . ` : ""}${mac("$secret", "$body", p.hash, p.encoding)};
    return hash_equals($want, ${server(p.header)});
}`;
    case "timestamped":
      return `function verify(string $body, string $secret): bool
{
    $timestamp = '';
    $given = [];
    foreach (explode(',', ${server(p.header)}) as $part) {
        [$name, $value] = explode('=', $part, 2) + ['', ''];
        if ($name === 't') $timestamp = $value;
        if ($name === 'v1') $given[] = $value;
    }
    if (abs(time() - (int) $timestamp) > 300) return false; // somebody may be repeating an old request
    $want = ${mac("$secret", "$timestamp . '.' . $body", p.hash, p.encoding)};
    foreach ($given as $one) if (hash_equals($want, $one)) return true;
    return false;
}`;
    case "standard":
      return `function verify(string $body, string $secret): bool
{
    $id = ${server("webhook-id")};
    $timestamp = ${server("webhook-timestamp")};
    if (abs(time() - (int) $timestamp) > 300) return false; // somebody may be repeating an old request
    $key = base64_decode(preg_replace('/^whsec_/', '', $secret));
    $want = 'v1,' . ${mac("$key", '"$id.$timestamp." . $body', "sha256", "base64")};
    foreach (explode(' ', ${server("webhook-signature")}) as $one) if (hash_equals($want, $one)) return true;
    return false;
}`;
  }
}

function write(p: Plan): string {
  const signs = p.kind !== "none";
  return tidy(`<?php
declare(strict_types=1);

${verify(p)}

$body = file_get_contents('php://input');${signs ? ` // the bytes as they came: verify them before parsing
if (!verify($body, getenv('WEBHOOK_SECRET'))) {
    http_response_code(400);
    exit;
}` : ""}
$event = json_decode($body, true, 512, JSON_THROW_ON_ERROR);
error_log('received ' . $body); // keep it, answer at once, work on it afterwards
http_response_code(200);
`);
}

export const php: Language = { name: "php", label: "PHP", file: "receiver.php", run: "WEBHOOK_SECRET=… php -S 0.0.0.0:8000 receiver.php", write };
