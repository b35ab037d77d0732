cd /work/main && gcc -O1 -Ibuild -Iinclude -I. -o /tmp/vi/vi /tmp/vi/vi.c -lbpf -lelf -lz && /tmp/vi/vi > /tmp/vi/log && python3 - <<'PY'
import re,collections
cnt=collections.Counter();cur='main'
lines=open('/tmp/vi/log',errors='replace').read().split('\n')
for l in lines:
    g=re.match(r'Validating (\w+)\(\) func',l)
    if g: cur=g.group(1)
    if re.match(r'^\d+: \([0-9a-f]{2}\)',l): cnt[cur]+=1
for k,v in cnt.most_common(): print(v,k)
print([l for l in lines if l.startswith('processed')])
PY
