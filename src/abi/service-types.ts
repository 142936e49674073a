/**
 * Kinds of service that a FLOWSPEC asks for (STR-SERVICETYPE, qos.h), and the value of what it leaves open.
 */

export const SERVICETYPE_NOTRAFFIC = 0;
export const SERVICETYPE_BESTEFFORT = 1;
export const SERVICETYPE_CONTROLLEDLOAD = 2;
export const SERVICETYPE_GUARANTEED = 3;
export const SERVICETYPE_NETWORK_UNAVAILABLE = 4;
export const SERVICETYPE_GENERAL_INFORMATION = 5;
export const SERVICETYPE_NOCHANGE = 6;
export const SERVICETYPE_NONCONFORMING = 9;
export const SERVICETYPE_NETWORK_CONTROL = 0xa;
export const SERVICETYPE_QUALITATIVE = 0xd;

export const QOS_NOT_SPECIFIED = 0xffff_ffff;
