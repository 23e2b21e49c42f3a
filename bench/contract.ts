/** The contract of the bench: what somebody would write for the design's GET and POST, every member declared, bounded and required. */

const text = (most: number) => ({ type: 'string', maxLength: most });
const amount = { type: 'number', minimum: 0 };
const strict = (properties: object) => ({
  type: 'object',
  additionalProperties: false,
  required: Object.keys(properties),
  properties,
});

const order = strict({
  customer: strict({
    id: { type: 'integer', minimum: 0 },
    name: text(80),
    email: { type: 'string', format: 'email' },
    phone: { type: 'string', pattern: '^\\+[0-9 ]{5,20}$' },
  }),
  address: strict({
    street: text(100),
    city: text(60),
    zip: text(12),
    country: { type: 'string', pattern: '^[A-Z]{2}$' },
  }),
  note: text(500),
  currency: { type: 'string', enum: ['EUR', 'GBP', 'USD'] },
  items: {
    type: 'array',
    maxItems: 50,
    items: strict({
      sku: { type: 'string', pattern: '^SKU-[0-9]{1,7}$' },
      name: text(100),
      qty: { type: 'integer', minimum: 0, maximum: 99 },
      price: amount,
    }),
  },
});

const queryParameters = [
  ...['customer', 'limit'].map((name) => ({ name, in: 'query', schema: { type: 'integer', minimum: 0 } })),
  { name: 'status', in: 'query', schema: { type: 'string', enum: ['shipped', 'open', 'returned', 'paid'] } },
  ...['sort', 'q'].map((name) => ({ name, in: 'query', schema: text(100) })),
  { name: 'fields', in: 'query', explode: false, schema: { type: 'array', maxItems: 10, items: text(20) } },
];

/** The document for one path. A parameter `{id}` in it is a number. */
export function ordersDocument(path: string, servers: readonly string[] = ['/']): object {
  const id = { name: 'id', in: 'path', required: true, schema: { type: 'integer', minimum: 0 } };
  return {
    openapi: '3.1.0',
    info: { title: 'Orders', version: '1' },
    servers: servers.map((url) => ({ url })),
    paths: {
      [path]: {
        parameters: path.includes('{id}') ? [id] : [],
        get: { parameters: queryParameters, responses: { 200: { description: 'ok' } } },
        post: {
          requestBody: { required: true, content: { 'application/json': { schema: order } } },
          responses: { 201: { description: 'made' } },
        },
      },
    },
  };
}
