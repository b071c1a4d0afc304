import type { Cases } from '../api.js';
import { dgramCases } from './dgram.js';
import { httpCases } from './http.js';
import { http2Cases } from './http2.js';
import { netClose } from './net-close.js';
import { netConnect } from './net-connect.js';
import { netServer } from './net-server.js';
import { netStream } from './net-stream.js';
import { tlsCases } from './tls.js';

export const allCases: Cases = {
  ...netConnect,
  ...netServer,
  ...netStream,
  ...netClose,
  ...dgramCases,
  ...httpCases,
  ...tlsCases,
  ...http2Cases,
};
