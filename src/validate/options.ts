import { z } from 'zod';
import { filePath } from '../config/units.ts';
import { readContentType } from '../exchange/body/content-type.ts';
import { canonicalPath } from '../exchange/path.ts';

const bound = (most: number) => z.int().min(1).max(most);

const jsonOptions = z.strictObject({
  // The reader nests as deep as the body does: beyond this its stack would not hold.
  depth: bound(500).default(64).describe('Levels of arrays and objects.'),
  keys: bound(1_000_000)
    .default(10_000)
    .describe('Members of all objects together; also fields of a form and parts of a multipart body.'),
  items: bound(10_000_000).default(100_000).describe('Values of all arrays together.'),
  string: bound(100_000_000).optional().describe('Characters of one string. Without it only `body` bounds it.'),
  number: bound(10_000).default(100).describe('Characters of one number.'),
  'big-numbers': z
    .enum(['refuse', 'pass'])
    .default('refuse')
    .describe('What happens to a number that a double cannot hold: readers see different values in it.'),
});

const mediaType = z.string().superRefine((text, context) => {
  const wildcard = text.endsWith('/*') ? `${text.slice(0, -1)}x` : text;
  const type = readContentType(wildcard);
  if (type === undefined || type.parameters.size > 0 || text !== text.toLowerCase() || text.startsWith('*/'))
    context.addIssue({
      code: 'custom',
      message: `${JSON.stringify(text)} is not a media type, such as application/json or image/*`,
    });
});

const basePath = z
  .string()
  .refine(
    (text) => text.startsWith('/') && canonicalPath(text) === text && !text.includes('{'),
    'a base begins with "/" and is a path as requests have it',
  );

/** `validate` of a route: what a request may hold. */
export const validateOptions = z
  .strictObject({
    openapi: filePath().optional().describe('An OpenAPI 3.0 or 3.1 document, YAML or JSON. What it does not declare is refused.'),
    base: basePath
      .optional()
      .describe(
        'What stands before the paths of the document, such as /v1, or / for nothing. Without it: the paths of its `servers`. Only with `openapi`.',
      ),
    'read-only': z
      .enum(['refuse', 'ignore'])
      .optional()
      .describe(
        'What happens to a property that the document marks as `readOnly` when a request has it. `refuse`, also when left out: the request gets 422. `ignore`: the property is held against its schema like any other and goes on to the service. Only with `openapi`.',
      ),
    mode: z
      .enum(['strict', 'report', 'off'])
      .default('strict')
      .describe('`strict` refuses, `report` lets everything pass and says in the record what it would have refused.'),
    types: z
      .array(mediaType)
      .min(1)
      .optional()
      .describe('Media types that a body may have; others get 415. Not with `openapi`, which declares them.'),
    json: jsonOptions.prefault({}).describe('Bounds of JSON bodies. They hold with a contract too.'),
  })
  .superRefine((value, context) => {
    if (value.openapi !== undefined && value.types !== undefined)
      context.addIssue({
        code: 'custom',
        path: ['types'],
        message: '`types` and `openapi` exclude each other: the document declares the types',
      });
    for (const key of ['base', 'read-only'] as const)
      if (value.openapi === undefined && value[key] !== undefined)
        context.addIssue({
          code: 'custom',
          path: [key],
          message: `\`${key}\` needs \`openapi\`: without a document it says nothing`,
        });
  });

export type ValidateOptions = z.output<typeof validateOptions>;
