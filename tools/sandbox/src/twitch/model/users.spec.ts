import { ControlError } from '../control/control-error.js';
import { UserDirectory } from './users.js';

describe('UserDirectory', () => {
  it('derives the same id from the same login in every run', () => {
    const id = new UserDirectory().ensure('alice').id;
    expect(new UserDirectory().ensure('Alice').id).toBe(id);
    expect(id).toMatch(/^\d{9}$/);
  });

  it.each(['0', '1'])('takes the id %j', (id) => {
    const users = new UserDirectory();
    expect(users.ensure('alice', { id, displayName: 'Alice' })).toEqual({
      id,
      login: 'alice',
      displayName: 'Alice',
    });
    expect(users.ensure('alice').id).toBe(id);
    expect(users.findById(id)?.login).toBe('alice');
  });

  it.each([
    ['another id for a login', () => ['alice', { id: '2' }] as const],
    ['the id of another login', () => ['bob', { id: '1' }] as const],
    ['a login with a space', () => ['a b', {}] as const],
    ['a long login', () => ['a'.repeat(26), {}] as const],
  ])('refuses %s', (_case, user) => {
    const users = new UserDirectory();
    users.ensure('alice', { id: '1' });
    expect(() => users.ensure(...user())).toThrow(ControlError);
  });
});
