import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AppListener, type ListenerMember, ListenSession } from './app-listener.js';
import { Application, AppWorker } from './application.js';

let nextIndex = 0;

function listenSession(): ListenSession {
  const binding = {
    local: new Int32Array(4),
    port: 80,
    isAnyPort: false,
    isIpv6Only: false,
    isReuseport: true,
    asksOnSyn: false,
  };
  return new ListenSession(0, binding, 80, 0);
}

function join(session: ListenSession, name: string, workers: number, sessions = 100): ListenerMember[] {
  const application = new Application({ name, namespace: 0, stack: 0 }, { sessions, listeners: 1, udpSockets: 1 });
  const appListener = new AppListener(application, session);
  session.group.listeners.push(appListener);
  for (let i = 1; i <= workers; i++) {
    const worker = new AppWorker(nextIndex++, application, { event: () => {} });
    application.workers.push(worker);
    appListener.members.push({ worker, appListener, request: i, handle: 0 });
  }
  return appListener.members;
}

function nameOf(member: ListenerMember | undefined): string {
  return member ? `${member.worker.application.name}-w${member.request}` : 'none';
}

function takeNames(session: ListenSession, count: number): string[] {
  return Array.from({ length: count }, () => nameOf(session.group.take()));
}

describe('a reuseport group', () => {
  it('goes round over applications, then over the workers of each', () => {
    const session = listenSession();
    join(session, 'app1', 1);
    join(session, 'app2', 2);
    join(session, 'app3', 3);
    assert.deepEqual(takeNames(session, 9), [
      'app1-w1',
      'app2-w1',
      'app3-w1',
      'app1-w1',
      'app2-w2',
      'app3-w2',
      'app1-w1',
      'app2-w1',
      'app3-w3',
    ]);
  });

  it('passes over applications at their limit', () => {
    const session = listenSession();
    join(session, 'app1', 1);
    const [full] = join(session, 'app2', 1, 5);
    full!.worker.application.sessionCount = 5;
    assert.deepEqual(takeNames(session, 3), ['app1-w1', 'app1-w1', 'app1-w1']);
    assert.ok(session.group.hasRoom);
    for (const listener of session.group.listeners) listener.application.sessionCount = 100;
    assert.equal(nameOf(session.group.take()), 'none');
    assert.ok(!session.group.hasRoom);
  });

  it('keeps the turn of the others when one leaves', () => {
    const session = listenSession();
    const [first] = join(session, 'app1', 1);
    join(session, 'app2', 1);
    join(session, 'app3', 1);
    assert.deepEqual(takeNames(session, 2), ['app1-w1', 'app2-w1']);
    session.group.remove(first!.appListener);
    assert.deepEqual(takeNames(session, 3), ['app3-w1', 'app2-w1', 'app3-w1']);
  });

  it('keeps the turn of the other workers when one leaves', () => {
    const session = listenSession();
    const members = join(session, 'app1', 3);
    assert.deepEqual(takeNames(session, 2), ['app1-w1', 'app1-w2']);
    members[0]!.appListener.remove(members[0]!);
    assert.deepEqual(takeNames(session, 3), ['app1-w3', 'app1-w2', 'app1-w3']);
  });
});
