/** The commands that show the cache at work: a real token, and an order of that token's customer. */
export async function demoSteps(bffUrl, sandboxUrl, apiVersion) {
  const token = await text(`${sandboxUrl}/demo/token/1`);
  const data = `${sandboxUrl}/services/data/v${apiVersion}`;
  const order = await newestOrder(data, await text(`${sandboxUrl}/demo/salesforce-token`));
  const status = order.Status === 'Cancelled' ? 'Activated' : 'Cancelled';
  return `A customer's token, to paste into another terminal:

TOKEN=${token}

1. The orders of that customer, twice: the first answer comes from the (slow) sandbox, the second from the cache.

  curl -s -o /dev/null -w '%{http_code} in %{time_total} s\\n' -H "Authorization: Bearer $TOKEN" ${bffUrl}/api/orders
  curl -s -o /dev/null -w '%{http_code} in %{time_total} s\\n' -H "Authorization: Bearer $TOKEN" ${bffUrl}/api/orders

2. Change the status of one of them in Salesforce, from ${order.Status} to ${status}.

  curl -s -w '%{http_code}\\n' -X PATCH -H "Authorization: Bearer $(curl -s ${sandboxUrl}/demo/salesforce-token)" \\
    -H 'Content-Type: application/json' -d '{"Status":"${status}"}' ${data}/sobjects/Order/${order.Id}

3. Ask again: a change event has dropped exactly what was built from that order.

  curl -s -H "Authorization: Bearer $TOKEN" ${bffUrl}/api/orders | grep -o '{[^{}]*${order.Id}[^{}]*}'
`;
}

async function newestOrder(data, salesforceToken) {
  const soql =
    "SELECT Id, Status FROM Order WHERE Account.Portal_User_Id__c = 'customer-1' ORDER BY EffectiveDate DESC LIMIT 1";
  const body = await text(`${data}/query?q=${encodeURIComponent(soql)}`, {
    Authorization: `Bearer ${salesforceToken}`,
  });
  const [order] = JSON.parse(body).records;
  if (!order) throw new Error('the sandbox has no order of customer-1');
  return order;
}

async function text(url, headers = {}) {
  const response = await fetch(url, { headers, signal: AbortSignal.timeout(10_000) });
  const body = await response.text();
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${body.slice(0, 500)}`);
  return body.trim();
}
