import type { Cases } from '../api.js';
import { dgramCases } from './dgram.js';
import { netClose } from './net-close.js';
import { netConnect } from './net-connect.js';
import { netServer } from './net-server.js';
import { netStream } from './net-stream.js';

export const allCases: Cases = { ...netConnect, ...netServer, ...netStream, ...netClose, ...dgramCases };
