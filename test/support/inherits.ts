/** Whether nothing but an object's own members is found in it: it has no prototype, or an empty one that nobody can fill. */
export function inheritsNothing(value: unknown): boolean {
  const above: unknown = Object.getPrototypeOf(value);
  if (above === null) return true;
  return Object.isFrozen(above) && Reflect.ownKeys(above as object).length === 0 && Object.getPrototypeOf(above) === null;
}
